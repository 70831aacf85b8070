package t

f := 1

f(x) := x
