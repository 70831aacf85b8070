package a

names["x"]
