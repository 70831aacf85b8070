package a

p if input.x
else
