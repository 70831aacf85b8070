package t

f(x) := x

g(x, y) := x + y

p if f(1) == 2 with f as g
