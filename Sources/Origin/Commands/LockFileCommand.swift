import ArgumentParser
import CrateFile
import Registry

struct LockFileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock-file", abstract: "Keeps the lock files of builds, so that they can be asked about.",
        discussion: """
            Which builds hold a version (`policy reach`), and which would stop (`policy dry-run --stored-locks`). A CI job
            sends its own with the token that it reads with:

              curl -T Cargo.lock -H "Authorization: $TOKEN" ORIGIN/api/v1/repositories/main/lock-files/team/app

              longshore-origin lock-file put main team/app Cargo.lock
              longshore-origin lock-file list main
              longshore-origin lock-file show main team/app
              longshore-origin lock-file remove main team/app
            """,
        subcommands: [Put.self, List.self, Show.self, Remove.self])

    struct Put: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keeps a Cargo.lock under a name, in place of the one that is there.")
        @Argument var repository: RepositoryName
        @Argument(help: LockFileName.help) var name: LockFileName
        @Argument(help: "The Cargo.lock.") var file: String
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let file = try InputFile.parsed(file, bytesMax: PolicyStore.bytesMax) { text throws(CargoLock.Invalid) in
                try LockFile(parsing: text)
            }
            try await database.with { slices, _ in
                let repository = try await slices.repositories.require(repository)
                let kept = try await slices.lockFiles.put(file, as: name, in: repository, by: .commandLine)
                print("\(name) \(kept.change.rawValue): \(kept.record.packages) versions from registries")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists a repository's lock files: whose they are, and when a build last sent each.")
        @Argument var repository: RepositoryName
        @Flag(help: "Prints JSON.") var json = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let records = try await database.with { slices, _ in
                try await slices.lockFiles.list(in: slices.repositories.require(repository), for: .commandLine)
            }
            if json { return print(try CommandOutput.json(records)) }
            let rows = records.map { record in
                [
                    record.name, record.owner, record.token.map { "\(record.putBy) (token \($0))" } ?? record.putBy,
                    record.changed, record.seen, "\(record.packages)",
                ]
            }
            print(CommandOutput.table(["NAME", "OWNER", "PUT BY", "CHANGED", "SEEN", "PACKAGES"], rows))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints a lock file as it was put.")
        @Argument var repository: RepositoryName
        @Argument(help: LockFileName.help) var name: LockFileName
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let text = try await database.with { slices, _ in
                try await slices.lockFiles.text(
                    name, in: slices.repositories.require(repository), for: .commandLine)
            }
            print(text, terminator: text.hasSuffix("\n") ? "" : "\n")
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Removes a lock file.")
        @Argument var repository: RepositoryName
        @Argument(help: LockFileName.help) var name: LockFileName
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.with { slices, _ in
                let repository = try await slices.repositories.require(repository)
                try await slices.lockFiles.remove(name, from: repository, by: .commandLine)
                print("\(name) removed")
            }
        }
    }
}

extension LockFileName: ExpressibleByArgument {
    package init?(argument: String) { try? self.init(argument) }

    static let help: ArgumentHelp = "What it is called, such as team/app or app@main."
}
