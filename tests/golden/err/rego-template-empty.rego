package a

p := $"a{}"
