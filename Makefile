# The verbs of this project. `make` lists them.
.PHONY: help build test format lint tidy doors up
help:    ## lists the verbs
	@sed -n 's/^\([a-z]*\): *## \(.*\)/\1	\2/p' Makefile
build:   ## debug build of everything; a room may import only what Package.swift says
	swift build --build-tests --explicit-target-dependency-import-check error
test:    ## installs what is missing and runs every test
	./test
format:  ## formats all Swift files
	swift format --in-place --recursive --parallel Package.swift Sources loadtests Tests
lint:    ## says where the format is wrong
	swift format lint --strict --recursive --parallel Package.swift Sources loadtests Tests
tidy:    ## the mechanical part of docs/STYLE.md
	./test --filter TidyTests
doors:   ## lists what rooms show each other
	@grep -rnE '^ *package (final )?(struct|class|actor|enum|protocol|func|init|let|var|static)' Sources loadtests
up:      ## builds and starts an origin and two edges on this machine
	./up
