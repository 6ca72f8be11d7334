import ArgumentParser
import FoundationEssentials
import Signing

struct EdgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edge", abstract: "Creates, lists and revokes the credentials with which edges join.",
        discussion: """
              longshore-origin edge create eu --region europe --credential-file eu.credential
              longshore-edge serve --name eu --origin-url https://crates.example --credential-file eu.credential
              longshore-origin edge revoke eu

            Without --credential-file the credential is printed once, alone on standard output.
            """,
        subcommands: [Create.self, List.self, Revoke.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Creates an edge and its join credential.")
        @Argument(help: "Letters, digits, `-` and `_`; stands in x-served-by and in logs.") var name: String
        @Option(help: "Where it stands, in your words.") var region = ""
        @Option(help: "Writes the credential into this new file, mode 0600, instead of printing it.")
        var credentialFile: String?
        @OptionGroup var database: DatabaseOptions

        func validate() throws {
            if let credentialFile, FileManager.default.fileExists(atPath: credentialFile) {
                throw ValidationError("\(credentialFile) exists already; choose another file, or remove it")
            }
        }

        func run() async throws {
            try await database.with { slices, _ in
                let made = try await slices.edges.create(name: name, region: region, by: .commandLine)
                guard let credentialFile else {
                    CommandOutput.note("the credential of edge \(name); it is shown only now:")
                    return print(made.secret.text)
                }
                do {
                    try SecretFile.write(made.secret.text, to: credentialFile)
                    print("the credential of edge \(name) is in \(credentialFile)")
                } catch {
                    // Nobody will ever see this credential: it may not stay behind as a valid one.
                    try await slices.edges.revoke(name: name, by: .commandLine)
                    throw error
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists edges: who is connected, how far behind, since when, and what each holds.")
        @Flag(help: "Prints JSON.") var json = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.with { slices, _ in
                let edges = try await slices.edgeList.all()
                if json { return print(try CommandOutput.json(edges)) }
                let rows = edges.map { edge in
                    [
                        edge.name, edge.region, edge.stateText, edge.behind.map { "\($0)" } ?? "", edge.cacheText,
                        edge.url ?? "",
                    ]
                }
                print(CommandOutput.table(["NAME", "REGION", "STATE", "BEHIND", "CACHE", "URL"], rows))
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revokes an edge's credential and cuts its feed.")
        @Argument var name: String
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.with { slices, _ in
                try await slices.edges.revoke(name: name, by: .commandLine)
                print("revoked edge \(name)")
            }
        }
    }
}
