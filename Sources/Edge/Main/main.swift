import Edge

await EdgeCommand.runProgram()
