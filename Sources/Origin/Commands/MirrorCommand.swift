import ArgumentParser
import FoundationEssentials
import Hosting
import Registry

struct MirrorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mirror", abstract: "Fetches crates through a repository's upstreams before they are asked for.",
        discussion: """
            Say which crates: in a file, by the lock files of projects, or by patterns of names that the repository knows.

              longshore-origin mirror main --lock app/Cargo.lock tool/Cargo.lock
              longshore-origin mirror main --list crates.txt --newest 3 --with-dependencies
              longshore-origin mirror main --pattern 'serde*' --all-versions

            A list has a crate on each line, `serde` or `serde@1.0.217`. Lock files and lists that name versions get those;
            else it is the newest one, or what --newest or --all-versions says. --with-dependencies takes, for each
            dependency but those for development, the highest version that fits, and so on.
            What is there already stays and is skipped: stop it at any moment and run it again. Crates that were published
            here are passed over. Exit code: 0 all is here, 1 something is missing (one line each).
            """)

    private static let fileBytesMax = 64 << 20

    @Argument(help: "The repository whose upstreams are asked.") var repository: RepositoryName
    @Option(help: "A file with a crate on each line, a version behind it or not.") var list: String?
    @Option(parsing: .upToNextOption, help: "Lock files of cargo: the versions that they name.") var lock: [String] = []
    @Option(help: "Names that the repository knows: an exact one, or a prefix with a final `*`. Repeatable.")
    var pattern: [String] = []
    @Option(help: "So many versions of each crate, the newest that are not yanked.") var newest: Int?
    @Flag(help: "All versions of each crate, yanked ones too.") var allVersions = false
    @Flag(help: "What the versions depend on, too.") var withDependencies = false
    @Flag(help: "With --with-dependencies: leave out optional ones.") var skipOptional = false
    @OptionGroup var database: DatabaseOptions

    func validate() throws {
        guard list != nil || !lock.isEmpty || !pattern.isEmpty else {
            throw ValidationError("say which crates: --list FILE, --lock Cargo.lock or --pattern 'serde*'")
        }
        if allVersions, newest != nil { throw ValidationError("--newest and --all-versions exclude each other") }
        if let newest, newest < 1 { throw ValidationError("--newest takes a number from 1 on") }
        for pattern in pattern where CratePattern(pattern) == nil {
            throw ValidationError("`\(pattern)` is no crate pattern: write a name, or a prefix with a final `*`")
        }
    }

    func run() async throws {
        let meter = ProgressMeter()
        let report = MirrorReport { meter.note($0) }
        try await Interruption.resumable {
            try await run(report, meter)
        } told: {
            report.current.summary(seconds: meter.seconds)
        }
        if report.current.missing > 0 { throw ExitCode(1) }
    }

    private func run(_ report: MirrorReport, _ meter: ProgressMeter) async throws {
        try await database.with { slices, config in
            let repository = try await slices.repositories.require(repository)
            guard repository.readsThrough else {
                throw ValidationError(
                    "`\(repository.name)` reads through to nobody; say who it is: longshore-origin upstream add")
            }
            let stored = StoredCrates(pool: slices.pool)
            let blobs = try await DiskBlobs(folder: config.dataFolder + "/blobs", logger: DatabaseOptions.logger)
            let plan = try await plan(repository, slices, config, stored, report, meter)
            try await slices.withUpstreamDesk(for: repository, config) { desk in
                let mirrorer = Mirrorer(
                    repository: repository, desk: desk, stored: stored, blobs: blobs, report: report,
                    followsDependencies: withDependencies, takesOptional: !skipOptional)
                try await meter.showing({ Self.state(report.current) }, during: { try await mirrorer.run(plan) })
            }
        }
    }

    private func plan(
        _ repository: Repository, _ slices: OriginSlices, _ config: OriginConfig, _ stored: StoredCrates,
        _ report: MirrorReport, _ meter: ProgressMeter
    ) async throws -> MirrorPlan {
        let usual: MirrorWant = allVersions ? .all : .newest(newest ?? 1)
        var plan = MirrorPlan()
        func add(_ entries: [MirrorList.Entry]) {
            for entry in entries {
                plan.add(entry.name, entry.version.map { .exactly($0, entry.checksum) } ?? usual)
            }
        }
        if let list { add(try Self.reading(list) { text throws(MirrorList.Invalid) in try MirrorList.read(text) }) }
        var ours = config.addresses.ownIndexURLs(repository.name)
        for upstream in try await slices.upstreams.list(of: repository) { ours.insert(upstream.index.description) }
        for path in lock {
            let (entries, others) = try Self.reading(path) { text throws(MirrorList.Invalid) in
                try MirrorList.readLock(text) { IndexURL.isCratesIO($0) || ours.contains($0) }
            }
            add(entries)
            for other in others { meter.note("\(path): passed over what comes from \(other)") }
        }
        guard !pattern.isEmpty else { return plan }
        let known = try await stored.names(in: repository)
        for text in pattern {
            let names = known.filter { CratePattern(text)?.covers($0) == true }
            for name in names { plan.add(name, usual) }
            if names.isEmpty {
                report.missing(text, "(pattern)", "the repository knows no such name; give it in a list")
            }
        }
        return plan
    }

    private static func reading<Answer>(
        _ path: String, _ read: (String) throws(MirrorList.Invalid) -> Answer
    ) throws -> Answer {
        try InputFile.parsed(path, bytesMax: fileBytesMax, read)
    }

    private static func state(_ tally: MirrorReport.Tally) -> ProgressState {
        let done = tally.fetched + tally.present + tally.own
        return ProgressState(done: done, total: max(done, tally.versions), bytes: tally.bytes, noun: "versions")
    }
}
