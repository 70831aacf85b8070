package t

f(a, b) := a + b

p := f(1)

q := count([1], [2], 3)
