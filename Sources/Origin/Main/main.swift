import Origin

await runOriginCommand()
