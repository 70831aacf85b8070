package a

p := $"a{x := 1}"
