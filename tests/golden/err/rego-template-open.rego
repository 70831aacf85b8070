package a

p := $"a{input.x"
