import ArgumentParser
import Registry

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Writes a repository into a folder, for `import` or any web server.",
        discussion: """
            FOLDER gets `index/` in sparse layout and `crates/`, lines and files as they are served here. Another origin takes
            it with `import`; a plain web server makes a registry of it, if --url says under which address.

              longshore-origin export main /mnt/usb/main
              longshore-origin export main /srv/www/registry --url https://registry.example --fetch

            What is there already is checked and skipped: stop it at any moment and run it again. Versions of upstreams
            whose file was never fetched are left out, or fetched now with --fetch. Owners, tokens and the access log are
            not part of it. Exit code: 0 all is well, 1 a version could not be written (one line each).
            """)

    @Argument(help: "The repository to write.") var repository: RepositoryName
    @Argument(help: "Is made if it is missing.") var folder: String
    @Option(help: "Only these crates: names, or prefixes with a final `*`, with commas between them.")
    var crates: String?
    @Option(help: "Where the folder will be served, for its `index/config.json`; else http://127.0.0.1:8000.")
    var url: String?
    @Flag(help: "Fetch what only the upstream has.") var fetch = false
    @OptionGroup var database: DatabaseOptions

    private var patterns: [(text: String, pattern: CratePattern?)] {
        (crates ?? "*").split(separator: ",").map { text in
            let plain = text.filter { $0 != " " }
            return (plain, CratePattern(plain))
        }
    }

    func validate() throws {
        for (text, pattern) in patterns where pattern == nil {
            throw ValidationError("`\(text)` is no crate pattern: write a name, or a prefix with a final `*`")
        }
        if let url, UpstreamIndex(url) == nil || url.hasPrefix("sparse+") {
            throw ValidationError("--url takes the address of a folder, such as https://registry.example/main")
        }
    }

    func run() async throws {
        let meter = ProgressMeter()
        let report = FolderReport { meter.note($0) }
        try await Interruption.resumable {
            try await run(report, meter)
        } told: {
            report.current.summary(seconds: meter.seconds)
        }
        if report.current.faults > 0 { throw ExitCode(1) }
    }

    private func run(_ report: FolderReport, _ meter: ProgressMeter) async throws {
        try await database.with { slices, config in
            let repository = try await slices.repositories.require(repository)
            let stored = StoredCrates(pool: slices.pool)
            let all = try await stored.names(in: repository)
            let patterns = self.patterns
            for (text, pattern) in patterns where !all.contains(where: { pattern?.covers($0) == true }) && text != "*" {
                report.fault(text, "`\(repository.name)` has no such crate")
            }
            let names = all.filter { name in patterns.contains { $0.pattern?.covers(name) == true } }
            let blobs = try await DiskBlobs(folder: config.dataFolder + "/blobs", logger: DatabaseOptions.logger)
            let write = { (desk: UpstreamDesk?) async throws in
                let target = RegistryFolder(path: folder)
                let exporter = FolderExporter(
                    repository: repository, stored: stored, blobs: blobs, folder: target, report: report, desk: desk)
                try await target.writeConfig(url: url)
                try await meter.showing(
                    { Self.state(report.current, names.count) }, during: { try await exporter.run(names) })
            }
            guard fetch else { return try await write(nil) }
            try await slices.withUpstreamDesk(for: repository, config, write)
        }
    }

    private static func state(_ tally: FolderReport.Tally, _ crates: Int) -> ProgressState {
        ProgressState(done: tally.cratesDone, total: crates, bytes: tally.bytes, noun: "crates")
    }
}
