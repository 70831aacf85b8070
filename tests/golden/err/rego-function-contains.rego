package a

f(x) contains x if x > 1
