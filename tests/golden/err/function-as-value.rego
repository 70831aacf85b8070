package t

double(x) := x * 2

p := double
