import ArgumentParser
import FoundationEssentials
import Hosting
import Logging
import Registry

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Takes the crates of another registry into a repository.",
        discussion: """
            SOURCE is a folder with `.crate` files anywhere below it (NAME-VERSION.crate, or NAME/VERSION/….crate) and,
            if there is one, its index in `index/`; or the URL of a sparse index.

              longshore-origin import main /srv/old-registry
              longshore-origin import main sparse+https://crates.example/index/ --names names.txt
              longshore-origin import main https://index.crates.io/ --only 'serde*' --names names.txt

            What is there already stays and is skipped: stop it at any moment and run it again. Each version is checked;
            one that is refused is named with the cause, the others go on, and the exit code is 1.
            A private source is asked with the token in LONGSHORE_SOURCE_TOKEN.
            """)

    @Argument(help: "The repository that the crates come into.") var repository: RepositoryName
    @Argument(help: "A folder, or the URL of a sparse index.") var source: String
    @Option(help: "Where the .crate files are, if not where the source says; with cargo's markers as in `dl`.")
    var downloads: String?
    @Option(help: "Becomes owner of the crates; must hold a token.") var login: String?
    @Option(help: "Only these crates: an exact name, or a prefix with a final `*`.") var only: String?
    @Option(help: "A file with a crate's name on each line, for a source that cannot be listed.") var names: String?
    @Option(help: "The index URL under which cargo knew a source folder; dependencies on it become ours.")
    var indexUrl: String?
    @OptionGroup var database: DatabaseOptions

    func validate() throws {
        if let only, CratePattern(only) == nil {
            throw ValidationError("--only takes a crate's name, or a prefix with a final `*`; `\(only)` is neither")
        }
    }

    private var isWeb: Bool { source.hasPrefix("sparse+") || source.hasPrefix("http") && source.contains("://") }

    func run() async throws {
        let meter = ProgressMeter()
        let report = ImportReport { meter.note("refused \($0)") }
        try await Interruption.resumable {
            try await run(report, meter)
        } told: {
            report.current.summary(seconds: meter.seconds)
        }
        if report.current.refused > 0 { throw ExitCode(1) }
    }

    private func run(_ report: ImportReport, _ meter: ProgressMeter) async throws {
        let web = SourceWeb(token: ProcessInfo.processInfo.environment["LONGSHORE_SOURCE_TOKEN"])
        do {
            try await database.with { slices, config in
                let repository = try await slices.repositories.require(repository)
                let source = try await open(web)
                let store = ImportStore(
                    pool: slices.pool, owners: slices.owners, events: slices.events, audit: slices.audit,
                    facts: slices.facts)
                let importer = Importer(
                    source: source, repository: repository,
                    ownIndexURLs: config.addresses.ownIndexURLs(repository.name), store: store,
                    blobs: try await DiskBlobs(folder: config.dataFolder + "/blobs", logger: DatabaseOptions.logger),
                    owner: try await owner(slices), report: report,
                    now: { Int64(Date.now.timeIntervalSince1970) })
                for stranger in source.strangers { meter.note("passed over \(stranger): its path names no version") }
                let (wanted, mustExist) = try await wanted(source, store, repository)
                let versionsCount = only == nil && names == nil ? source.versionsCount : nil
                try await meter.showing(
                    { Self.state(report.current, versionsCount, wanted.count) },
                    during: { try await importer.run(wanted, mustExist: mustExist) })
            }
        } catch {
            try await web.close()
            throw error
        }
        try await web.close()
    }

    private func open(_ web: SourceWeb) async throws -> ImportSource {
        let aliases = Set([indexUrl].compactMap { $0 })
        if isWeb { return try await .sparse(source, downloads: downloads, indexURLs: aliases, web: web) }
        let (path, downloads) = (source, downloads)
        return try await DiskBlobs.offLoop {
            try .folder(path, downloads: downloads, indexURLs: aliases, web: web)
        }
    }

    private func owner(_ slices: OriginSlices) async throws -> ImportOwner? {
        guard let login else { return nil }
        return ImportOwner(userID: try await slices.owners.holder(login: login), login: login)
    }

    /// - Returns: what to ask the source for; and whether it was asked for by name, so that its absence is an error.
    private func wanted(
        _ source: ImportSource, _ store: ImportStore, _ repository: Repository
    ) async throws -> (names: [CrateName], mustExist: Bool) {
        var all: [CrateName]
        var mustExist = false
        if let names {
            all = try Self.names(inFile: names)
            mustExist = true
        } else if let listed = source.names {
            all = listed
        } else if let only, let exact = try? CrateName(only.lowercased()) {
            all = [exact]
            mustExist = true
        } else {
            all = try await store.names(in: repository)
            if all.isEmpty {
                throw ValidationError(
                    "a sparse index cannot be listed, and `\(repository.name)` is empty: name the crates with --names FILE"
                )
            }
        }
        if let only = only.flatMap({ CratePattern($0) }) { all = all.filter(only.covers) }
        return (all, mustExist)
    }

    private static let namesBytesMax = 64 << 20

    private static func names(inFile path: String) throws -> [CrateName] {
        let text = try InputFile.text(path, bytesMax: namesBytesMax)
        var seen: Set<String> = []
        return try text.split(whereSeparator: \.isNewline).map { $0.filter { $0 != " " && $0 != "\t" } }
            .filter { !$0.isEmpty && !$0.hasPrefix("#") && seen.insert($0.lowercased()).inserted }
            .map { name in
                do { return try CrateName(name.lowercased()) } catch { throw ValidationError("\(path): \(error)") }
            }
    }

    private static func state(_ tally: ImportReport.Tally, _ versions: Int?, _ crates: Int) -> ProgressState {
        if let versions {
            return ProgressState(done: tally.versionsDone, total: versions, bytes: tally.bytes, noun: "versions")
        }
        return ProgressState(done: tally.cratesDone, total: crates, bytes: tally.bytes, noun: "crates")
    }
}
