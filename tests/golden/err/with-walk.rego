package t

p if walk(input, [_, 1]) with walk as f

f(x) := x
