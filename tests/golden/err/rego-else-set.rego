package a

p contains 1 if input.x
else := 2
