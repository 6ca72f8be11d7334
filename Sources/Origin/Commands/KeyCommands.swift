import ArgumentParser

struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Lists, changes and retires the keys that sign download URLs.",
        discussion: """
            The origin makes the first key when it signs its first URL, and each next one by itself.

              longshore-origin key list
              longshore-origin key rotate          a new key, used in a minute; what the old one signed stays valid
              longshore-origin key rotate --now    a new key, used at once
              longshore-origin key retire kx3…     ends a key and every URL that it signed

            A key that may be in wrong hands: `key rotate --now`, then `key retire` the old one.
            """,
        subcommands: [List.self, Rotate.self, Retire.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the signing keys, without secrets.")
        @Flag(help: "Prints JSON.") var json = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.with { slices, _ in
                let keys = try await slices.signingKeys.list()
                if json { return print(try CommandOutput.json(keys)) }
                let rows = keys.map { [$0.id, $0.created, $0.active, $0.retired ?? "no"] }
                print(CommandOutput.table(["KEY", "CREATED", "SIGNS FROM", "RETIRED"], rows))
            }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Makes a new key that takes over.")
        @Flag(help: "Uses it at once, not in a minute.") var now = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.with { slices, config in
                let key = try await slices.signingKeys.rotate(
                    try SigningSecret.find(config), isNow: now, by: .commandLine)
                print("key \(key.id) signs from \(key.active)")
            }
        }
    }

    struct Retire: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends a key and every URL that it signed; connected edges know it within a second.")
        @Argument(help: "From `key list`.") var key: String
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.with { slices, config in
                let isNew = try await slices.signingKeys.retire(
                    id: key, try SigningSecret.find(config), by: .commandLine)
                print(isNew ? "retired key \(key)" : "key \(key) was retired before")
            }
        }
    }
}
