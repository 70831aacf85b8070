package t

data := 1
