package app

words(x) := split(x, 1)

n := count(7)
