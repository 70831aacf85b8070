package t

p contains x if input.y == 1
