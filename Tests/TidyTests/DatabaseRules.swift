/// What the migrations say about tables, held against the slices.
enum DatabaseRules {
    /// Slices that read or write another's table, each for a reason; everyone else asks the owner's store.
    static let guests: [String: Set<String>] = [
        // What an edge reads and the feed's position must come from one statement (I3, I4).
        "feed_head": ["Closure", "Crates", "Index"],
        // Reads that join: rendering, downloads, search, owners. Yank changes a row that Publish made.
        "crates": [
            "Advisories", "Closure", "Crates", "Downloads", "Facts", "Index", "LockFiles", "Owners", "Policy", "Search",
            "Upstreams",
        ],
        "versions": [
            "Advisories", "Closure", "Crates", "Facts", "Index", "LockFiles", "Policy", "Upstreams", "Yank",
        ],
        // A download is refused in the snapshot in which it is found; what is withheld is not exported.
        "decisions": ["Crates", "Publish"],
        // Upstreams change versions as publishing does, and remember checksums as it does (I2). Whether a lock file means
        // our file is told by its checksum, also of a version that is gone.
        "checksums": ["LockFiles", "Upstreams"],
        // Facts of a version are named by repository, and advisories tell in which they hold.
        // How many lock files there are is counted under the repository's lock.
        "repositories": ["Advisories", "Facts", "LockFiles", "Policy", "Upstreams"],
        // Whether a repository has any.
        "upstreams": ["Repositories"],
        // Owners are named by login, and only those who hold a token can be one. The trail of pulls names logins.
        "users": ["Downloads", "Owners"],
        "tokens": ["Downloads", "Owners"],
    ]

    /// Table -> the slice that owns it, from `-- Owner: X.` above each CREATE TABLE.
    static func owners(_ migrations: [SourceFile]) -> (owners: [String: String], objections: [String]) {
        var owners: [String: String] = [:]
        var objections: [String] = []
        for file in migrations {
            for (index, line) in file.lines.enumerated() {
                guard let table = line.firstMatch(of: #/^CREATE (UNLOGGED )?TABLE (IF NOT EXISTS )?(\w+)/#)?.output.3
                else { continue }
                let comment = file.lines[..<index].reversed().prefix { $0.hasPrefix("--") }
                if let owner = comment.compactMap({ $0.firstMatch(of: #/^-- Owner: (\w+)\./#)?.output.1 }).first {
                    owners[String(table)] = String(owner)
                } else {
                    objections.append("\(file.path):\(index + 1): table \(table) has no `-- Owner: Slice.` above it")
                }
            }
        }
        return (owners, objections)
    }

    /// SQL that names a table outside the folder of the slice that owns it.
    static func foreignTables(_ file: SourceFile, owners: [String: String]) -> [String] {
        let folder = file.path.split(separator: "/").dropFirst(2).first.map(String.init) ?? ""
        // The Postgres room and the migrator know no tables; a folder below them is no slice.
        guard file.path.hasPrefix("Sources/Origin/"), !["Postgres", "Database"].contains(folder) else { return [] }
        return file.code.flatMap { number, text in
            text.matches(of: #/\b(?:FROM|JOIN|INTO|UPDATE|TABLE|ONLY)\s+(\w+)/#).compactMap { match in
                let table = String(match.output.1)
                guard let owner = owners[table], owner != folder, guests[table]?.contains(folder) != true else {
                    return nil
                }
                return "\(file.path):\(number): table \(table) belongs to \(owner); ask its store, or become a guest"
            }
        }
    }

    /// Each migration is in the list that the migrator runs, under the name that embedding gives it.
    static func unlisted(_ migrations: [SourceFile], list: SourceFile) -> [String] {
        migrations.compactMap { file in
            let name = file.path.split(separator: "/").last.map(String.init) ?? ""
            guard name.wholeMatch(of: #/m\d{4}_\w+\.sql/#) != nil else {
                return "\(file.path):1: a migration is called m0001_what.sql"
            }
            let embedded = name.replacing(".", with: "_")
            return list.code.contains { $0.text.contains(embedded) }
                ? nil : "\(file.path):1: not listed in \(list.path)"
        }
    }
}

/// README's commands exist: scripts, verbs of the Makefile, commands of the programs.
enum ReadmeRules {
    /// - Parameters:
    ///   - verbs: of the Makefile.
    ///   - commands: names of subcommands, as the sources spell them.
    static func missingCommands(
        _ readme: SourceFile, verbs: Set<String>, commands: Set<String>, exists: (String) -> Bool
    ) -> [String] {
        var isCode = false
        var objections: [String] = []
        for (index, line) in readme.lines.enumerated() {
            if line.hasPrefix("```") { isCode.toggle() }
            guard isCode else { continue }
            let words = line.split(separator: " ").map(String.init).drop { $0 == "$" || $0 == "#" || $0.contains("=") }
            guard let first = words.first else { continue }
            let second = words.dropFirst().first ?? ""
            let missing =
                switch first {
                case _ where first.hasPrefix("./") && !first.hasPrefix("./."): !exists(String(first.dropFirst(2)))
                case "make": !second.isEmpty && !verbs.contains(second)
                case _
                where first.hasSuffix("longshore-origin") || first.hasSuffix("longshore-edge")
                    || first.hasSuffix("longshore-bench"):
                    !second.isEmpty && !second.hasPrefix("-") && !commands.contains(second)
                default: false
                }
            if missing { objections.append("\(readme.path):\(index + 1): there is no `\(first) \(second)`") }
        }
        return objections
    }
}
