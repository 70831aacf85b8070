package t

default p := 1

default p := 2

p := 3 if input.x
