import LoadTest

await runBenchCommand()
