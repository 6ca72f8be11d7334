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
            Keys are sealed with the secret of `serve`; a command that finds another one is refused unless it is told
            `--new-secret`. After that every replica needs the new secret and a restart.
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
        @Flag(help: "Begins anew, at once, with another secret than the keys so far were sealed with.")
        var newSecret = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.with { slices, config in
                let seal = try await KeyCommand.seal(slices, config, isNew: newSecret)
                // No origin with that secret could start before the new key signs.
                let key = try await slices.signingKeys.rotate(seal, isNow: now || newSecret, by: .commandLine)
                print("key \(key.id) signs from \(key.active)")
            }
        }
    }

    struct Retire: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends a key and every URL that it signed; connected edges know it within a second.")
        @Argument(help: "From `key list`.") var key: String
        @Flag(help: "If a new key has to sign, seals it with another secret than the keys so far were sealed with.")
        var newSecret = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.with { slices, config in
                let seal = try await KeyCommand.seal(slices, config, isNew: newSecret)
                let isNew = try await slices.signingKeys.retire(id: key, seal, by: .commandLine)
                print(isNew ? "retired key \(key)" : "key \(key) was retired before")
            }
        }
    }

    /// The secret of this machine's settings.
    ///
    /// - Throws: if the keys in use can't be opened with it, unless it is to be new: no origin could use a key that was
    ///   sealed with it.
    private static func seal(_ slices: OriginSlices, _ config: OriginConfig, isNew: Bool) async throws -> KeySeal {
        let seal = try SigningSecret.find(config)
        if !isNew { try await slices.signingKeys.checkSecret(seal) }
        return seal
    }
}
