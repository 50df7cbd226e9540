package main

func vec() {}
