package app

f(x) := x * 2

sum if f(x) + input.xs[x] > 10
