module example.com/gleakd/frames

go 1.18
