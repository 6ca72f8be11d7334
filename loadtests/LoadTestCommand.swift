package import ArgumentParser

/// `longshore-bench`: measures a registry from outside, as its users and its edges meet it.
package struct LoadTestCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "longshore-bench",
        abstract: "Measures a sparse registry from outside, as cargo and edges meet it, and finds the nearest edge.",
        discussion: """
            Nothing here looks inside a server: everything is measured over the addresses that cargo and edges use.
            `resolve`, `fetch`, `requests` and `mixed` read any sparse registry, such as files behind nginx. `fanout`,
            `visible`, `cut`, `publish`, `uploads`, and `mixed` with a share of it, publish small crates in a Longshore
            registry: take one of your own. `nearest` changes cargo's configuration, if asked to.
            """,
        version: "0.1.0",
        subcommands: [
            NearestCommand.self, FanoutCommand.self, VisibleCommand.self, CutCommand.self,
            ResolveCommand.self, RequestsCommand.self, FetchCommand.self, PublishCommand.self, MixedCommand.self,
            RunCommand.self, ReportCommand.self, CorpusCommand.self, UploadsCommand.self,
        ])

    package init() {}
}

/// Runs what the command line asks for; ends the process with its exit code.
package func runBenchCommand() async { await LoadTestCommand.main() }
