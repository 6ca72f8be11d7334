import ArgumentParser

/// `longshore-bench corpus`: makes a registry of a real one's shape, out of nothing but a table of sizes.
struct CorpusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "corpus",
        abstract: "Makes a synthetic registry of a real one's shape, as a folder for `longshore-origin import`.",
        discussion: """
            The table has a line a crate: name, versions, bytes of its index file, dependents, between tabs. Made of it are

              FOLDER/index/      index files in sparse layout, of the sizes that the table says
              FOLDER/crates/     a small real .crate a version, which cargo can unpack and build
              FOLDER/corpus.tsv  the same table for what was made, the most used crates first

              longshore-bench corpus --sizes index-sizes.tsv.gz --out small --crates 2000
              longshore-origin import main small

            Crates depend on more used ones, each chosen as often as its dependents say, so there are no cycles; the rest
            of a line's size is features. Numbers of versions are real, version numbers are not. The same table and seed
            give the same bytes.
            """)

    @Option(help: ArgumentHelp("The table of sizes, plain or packed with gzip.", valueName: "path"))
    var sizes: String
    @Option(help: ArgumentHelp("A new folder.", valueName: "path")) var out: String
    @Option(help: "So many crates, evenly spaced in the order of their sizes; all of them if not said.")
    var crates: Int?
    @Option(help: "Another seed gives other dependencies and words.") var seed: UInt64 = 1
    @Option(help: "Crates that are made at once, 1 to 64.") var jobs = 2

    func validate() throws {
        if let crates, crates < 1 { throw ValidationError("--crates takes 1 or more") }
        guard (1...64).contains(jobs) else { throw ValidationError("--jobs takes 1 to 64") }
    }

    func run() async throws {
        let began = ContinuousClock.now
        let plan = CorpusPlan(CrateSizes.sample(try CrateSizes.read(sizes), count: crates), seed: seed)
        let folder = CorpusFolder(path: out, plan: plan)
        let painter = Task {
            while (try? await Task.sleep(for: .seconds(5))) != nil {
                Console.note("crates \(folder.current.crates) of \(plan.crates.count)")
            }
        }
        defer { painter.cancel() }
        try await folder.write(atOnce: jobs)
        let made = folder.current
        print(
            "\(made.crates) crates, \(made.versions) versions, \(made.dependencies) dependencies, "
                + "\(made.indexBytes) bytes of index, \(made.crateBytes) bytes of crates in "
                + "\(began.duration(to: .now).components.seconds) s")
    }
}
