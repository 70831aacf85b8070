package t

p := print("x")
