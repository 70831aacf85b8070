package t

p if input.x with config as 1
