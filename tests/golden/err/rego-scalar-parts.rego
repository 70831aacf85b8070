package a

p := ("a")[0]
