package t

p := $"user {name} and {input.names[i]}"
