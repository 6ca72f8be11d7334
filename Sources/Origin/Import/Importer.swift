import CrateFile
import Facts
import Registry

/// Takes the versions of another registry into a repository, many crates at a time.
///
/// For each batch: offers → those that are not there yet → bytes checked → bytes durable, all at once → one transaction,
/// with one event a crate. It may be stopped or killed at any moment: what is committed is whole, and the next run goes
/// on behind it (I1). A blob that was written for a transaction that never came is harmless.
struct Importer: Sendable {
    /// One reads and checks while another waits for the disk and the database.
    static let batchesAtOnce = 2
    static let versionsAtOnce = 8
    /// Index files that one batch asks for at once, which matters to a source that is far away.
    static let indexFilesAtOnce = 4
    /// Names that a worker takes at once: as many as fill a batch.
    static let namesAtOnce = 100

    let source: ImportSource
    let repository: Repository
    let ownIndexURLs: Set<String>
    let store: ImportStore
    let blobs: any BlobStore
    let owner: ImportOwner?
    let report: ImportReport
    /// Seconds since 1970: the time of versions whose source says none.
    let now: @Sendable () -> Int64
    private let inspections: Gate

    init(
        source: ImportSource, repository: Repository, ownIndexURLs: Set<String>, store: ImportStore,
        blobs: any BlobStore, owner: ImportOwner?, report: ImportReport, now: @escaping @Sendable () -> Int64
    ) {
        self.source = source
        self.repository = repository
        self.ownIndexURLs = ownIndexURLs
        self.store = store
        self.blobs = blobs
        self.owner = owner
        self.report = report
        self.now = now
        inspections = Gate(insideMax: 2, waitingMax: Self.batchesAtOnce * Self.versionsAtOnce)
    }

    /// - Parameter names: lower-case names; one that the source does not have is refused if `mustExist`.
    /// - Throws: what stops everything: the database, the disk, cancellation. A version's own fault is reported.
    func run(_ names: [CrateName], mustExist: Bool) async throws {
        try await forEach(Self.parts(of: names, Self.namesAtOnce), atOnce: Self.batchesAtOnce) { names in
            var batch = ImportBatch()
            for part in Self.parts(of: names, Self.indexFilesAtOnce) {
                for crate in try await offers(of: part, mustExist: mustExist) where !batch.take(crate) {
                    try await finish(batch)
                    batch = ImportBatch()
                    _ = batch.take(crate)
                }
            }
            try await finish(batch)
        }
        if report.current.versions >= Self.versionsToAnalyze { try await store.analyze() }
    }

    /// Fewer change no table so much that its plans are wrong.
    private static let versionsToAnalyze = 1_000

    private static func parts<Element>(of all: [Element], _ count: Int) -> [[Element]] {
        stride(from: 0, to: all.count, by: count).map { Array(all[$0..<min($0 + count, all.count)]) }
    }

    private func offers(of names: [CrateName], mustExist: Bool) async throws -> [ImportBatch.Crate] {
        let found = Slots<ImportBatch.Crate>(count: names.count)
        try await forEach(Array(names.enumerated()), atOnce: Self.indexFilesAtOnce) { place, name in
            do {
                let offers = try await offers(of: name, mustExist: mustExist)
                if let first = offers.first {
                    found.put(ImportBatch.Crate(name: first.name, offers: offers), at: place)
                } else {
                    report.cratesDone(1)
                }
            } catch let failure as SourceFailure {
                report.refused(ImportRefusal(name.spelling, "(all versions)", failure.description))
                report.cratesDone(1)
            }
        }
        return found.filled
    }

    private func offers(of name: CrateName, mustExist: Bool) async throws -> [ImportOffer] {
        guard let found = try await source.offers(of: name, ownIndexURLs: ownIndexURLs) else {
            if mustExist { report.refused(ImportRefusal(name.spelling, "", "the source has no such crate")) }
            return []
        }
        for refusal in found.refusals { report.refused(refusal) }
        return found.offers
    }

    private func finish(_ batch: ImportBatch) async throws {
        guard !batch.crates.isEmpty else { return }
        let known = try await store.known(batch.crates.map(\.name), in: repository)
        var offers: [Wanted] = []
        for (place, crate) in batch.crates.enumerated() {
            guard let known = known[crate.name.identity] else { preconditionFailure("every name has its entry") }
            offers += wanted(crate.offers, known).map { Wanted(crate: place, offer: $0, known: known) }
        }
        var versions = [[CheckedVersion]](repeating: [], count: batch.crates.count)
        // A crate with more versions than a batch is one nevertheless: its files are stored in parts.
        for part in Self.parts(of: offers, ImportBatch.versionsMax) {
            for stored in try await store(part) { versions[stored.crate].append(stored.version) }
        }
        let imported = zip(batch.crates, versions).filter { !$1.isEmpty }
            .map { ImportedCrate(name: $0.name, versions: $1) }
        if !imported.isEmpty {
            let outcome = try await store.add(imported, to: repository, owner: owner)
            for refusal in outcome.refusals { report.refused(refusal) }
            report.imported(outcome)
        }
        report.cratesDone(batch.crates.count)
    }

    /// A version that is not there yet.
    private struct Wanted: Sendable {
        /// Its place in the batch.
        let crate: Int
        let offer: ImportOffer
        let known: KnownCrate
    }

    private struct Stored: Sendable {
        let crate: Int
        let version: CheckedVersion
        let draft: BlobDraft
    }

    private func wanted(_ offers: [ImportOffer], _ known: KnownCrate) -> [ImportOffer] {
        offers.filter { offer in
            switch known.verdict(on: offer.name, offer.version, offer.line?.checksum) {
            case .take: return true
            case .present: report.present()
            case .refused(let cause): refuse(offer, cause)
            }
            return false
        }
    }

    /// Fetches and checks the bytes, and makes all of them durable at once; in the order of the offers.
    private func store(_ offers: [Wanted]) async throws -> [Stored] {
        let results = Slots<Stored>(count: offers.count)
        try await forEach(Array(offers.enumerated()), atOnce: Self.versionsAtOnce) { place, wanted in
            do {
                if let stored = try await checked(wanted) { results.put(stored, at: place) }
            } catch {
                guard let cause = Self.cause(error) else { throw error }
                refuse(wanted.offer, cause)
            }
        }
        let stored = results.filled
        try await blobs.commit(stored.map(\.draft))
        for version in stored { report.fetched(bytes: version.version.bytes) }
        return stored
    }

    /// - Returns: nil if the version turned out to be there already.
    private func checked(_ wanted: Wanted) async throws -> Stored? {
        let (offer, draft) = (wanted.offer, ImportDraft(blobs: blobs))
        do {
            try await source.read(offer, begin: draft.begin, piece: draft.write)
            let writer = try draft.finished()
            let version = try await inspections.pass { try await inspect(offer, writer) }
            let checksum = version.line.checksum
            switch wanted.known.verdict(on: offer.name, offer.version, checksum) {
            case .take:
                return Stored(
                    crate: wanted.crate, version: version, draft: BlobDraft(writer: writer, checksum: checksum))
            case .present: report.present()
            case .refused(let cause): refuse(offer, cause)
            }
            await draft.discard()
            return nil
        } catch {
            await draft.discard()
            throw error
        }
    }

    private func inspect(_ offer: ImportOffer, _ writer: any BlobWriter) async throws -> CheckedVersion {
        let written = writer.written
        if let line = offer.line, line.checksum != written.checksum {
            throw SourceFailure(
                "the index says SHA-256 \(line.checksum), but the file has \(written.checksum): it is damaged, or was "
                    + "changed after it was published")
        }
        let path = writer.draftPath
        let ours = source.indexURLs.union(ownIndexURLs)
        let pubtime = Pubtime(secondsSince1970: now())
        return try await offLoop {
            let inspection = try CrateInspector(name: offer.name, version: offer.version, rules: .imported)
                .inspect(path: path, isCancelled: { false })
            if let line = offer.line {
                let manifest = try? ManifestReader.read(inspection.manifest)
                return CheckedVersion(
                    facts: ManifestFacts(searchable: manifest, of: line), line: line, text: offer.text,
                    traits: manifest.map { ManifestTraits($0, hasBuildFile: inspection.hasBuildFile) },
                    publishedAt: line.pubtime, bytes: written.bytes)
            }
            let manifest = try ManifestReader.read(inspection.manifest)
            let facts = try ManifestRules.check(
                manifest,
                announced: PublishMetadata(name: offer.name, version: offer.version), ownIndexURLs: ours,
                metadataRequired: false)
            let line = IndexLine(facts: facts, checksum: written.checksum, pubtime: pubtime)
            // The line has the time of this import: nobody says when the version was published.
            return CheckedVersion(
                facts: facts, line: line,
                traits: ManifestTraits(manifest, hasBuildFile: inspection.hasBuildFile), publishedAt: nil,
                bytes: written.bytes)
        }
    }

    private func refuse(_ offer: ImportOffer, _ cause: String) {
        report.refused(ImportRefusal(offer.name.spelling, offer.version.description, cause))
    }

    /// - Returns: nil for an error that is not one version's own fault.
    private static func cause(_ error: any Error) -> String? {
        switch error {
        case let error as SourceFailure: error.description
        case let error as Objection: error.description
        case let error as ManifestRules.Objection: error.description
        case let error as ManifestReader.Invalid: error.description
        default: nil
        }
    }
}

extension ManifestFacts {
    /// What search shows of a version whose index line says all the rest.
    ///
    /// Read leniently: builds depend on versions whose manifest today's rules would refuse.
    ///
    /// - Parameter manifest: nil if it is no TOML at all.
    fileprivate init(searchable manifest: ManifestValue?, of line: IndexLine) {
        let package = manifest?["package"]
        let words = package?["keywords"]?.array?.compactMap(\.string) ?? []
        self.init(
            name: line.name, version: line.version,
            description: (package?["description"]?.string).map { String($0.prefix(1_000)) },
            keywords: Array(words.prefix(5)))
    }
}
