package import ArgumentParser

/// `longshore-origin`: the server and everything that an operator does with it.
package struct OriginCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "longshore-origin",
        abstract: "A private Cargo registry: the origin, which owns index, access and feed.",
        discussion: """
            First steps, on one machine and without any settings:

              longshore-origin serve &
              longshore-origin repository create main
              longshore-origin token create --login ann --name laptop --action publish-new --action publish-update

            Then put `index = "sparse+http://127.0.0.1:8080/main/index/"` below `[registries.main]` in
            ~/.cargo/config.toml, run `cargo login --registry main`, paste the token, and publish.

            Commands work on the database directly: on that of --database-url (or DATABASE_URL), else on the private
            PostgreSQL in --data, which is started for the time of the command if it does not run.
            """,
        version: OriginVersion.text,
        subcommands: [
            ServeCommand.self, MigrateCommand.self, RepositoryCommand.self, TokenCommand.self, EdgeCommand.self,
            KeyCommand.self, LinkCommand.self, DownloadsCommand.self, PullsCommand.self,
            AdvisoriesCommand.self, FactsCommand.self, PolicyCommand.self, LockFileCommand.self, AuditCommand.self,
            WebhookCommand.self, ImportCommand.self, ExportCommand.self, MirrorCommand.self, UpstreamCommand.self,
            VerifyCommand.self, DoctorCommand.self, VersionCommand.self,
        ],
        defaultSubcommand: ServeCommand.self)

    package init() {}
}

/// What `longshore-origin` calls itself.
enum OriginVersion {
    static let text = "0.1.0"
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Prints the version.")

    func run() { print("longshore-origin \(OriginVersion.text)") }
}

/// Runs what the command line asks for; ends the process with its exit code.
package func runOriginCommand() async { await OriginCommand.main() }
