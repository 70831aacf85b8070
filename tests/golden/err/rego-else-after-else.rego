package a

p if input.x
else := 1
else := 2
