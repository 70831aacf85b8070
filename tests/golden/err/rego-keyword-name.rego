package a

if := 1
