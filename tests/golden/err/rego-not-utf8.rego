package p

x := "café"
