package a

p if input.x with f(1) as 2
