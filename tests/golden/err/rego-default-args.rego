package a

default f(x, 1) := 2

default g(x, x) := 2
