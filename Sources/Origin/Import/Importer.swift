import CrateFile
import Facts
import Registry

/// Takes the versions of another registry into a repository, a few crates at a time.
///
/// For each crate: offers → those that are not there yet → bytes checked and durable → one transaction with one event.
/// It may be stopped at any moment: what is committed is whole, and the next run goes on behind it (I1). A blob that
/// was written for a transaction that never came is harmless.
struct Importer: Sendable {
    static let cratesAtOnce = 4
    static let versionsAtOnce = 4

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
        inspections = Gate(insideMax: 2, waitingMax: Self.cratesAtOnce * Self.versionsAtOnce)
    }

    /// - Parameter names: lower-case names; one that the source does not have is refused if `mustExist`.
    /// - Throws: what stops everything: the database, the disk, cancellation. A version's own fault is reported.
    func run(_ names: [CrateName], mustExist: Bool) async throws {
        try await forEach(names, atOnce: Self.cratesAtOnce) { name in
            do {
                try await take(name, mustExist: mustExist)
            } catch let failure as SourceFailure {
                report.refused(ImportRefusal(name.spelling, "(all versions)", failure.description))
            }
            report.crateDone()
        }
    }

    private func take(_ name: CrateName, mustExist: Bool) async throws {
        guard let found = try await source.offers(of: name, ownIndexURLs: ownIndexURLs) else {
            if mustExist { report.refused(ImportRefusal(name.spelling, "", "the source has no such crate")) }
            return
        }
        for refusal in found.refusals { report.refused(refusal) }
        guard let first = found.offers.first else { return }
        let known = try await store.known(first.name, in: repository)
        var wanted: [ImportOffer] = []
        for offer in found.offers {
            switch known.verdict(on: offer.name, offer.version, offer.line?.checksum) {
            case .take: wanted.append(offer)
            case .present: report.present()
            case .refused(let cause): refuse(offer, cause)
            }
        }
        let versions = try await checked(wanted, known)
        guard !versions.isEmpty else { return }
        let outcome = try await store.add(versions, of: first.name, to: repository, owner: owner)
        for refusal in outcome.refusals { report.refused(refusal) }
        report.imported(outcome.added, present: outcome.present)
    }

    /// Fetches, checks and stores the bytes; in the order of the offers.
    private func checked(_ offers: [ImportOffer], _ known: KnownCrate) async throws -> [CheckedVersion] {
        let results = Slots<CheckedVersion>(count: offers.count)
        try await forEach(Array(offers.enumerated()), atOnce: Self.versionsAtOnce) { place, offer in
            do {
                if let version = try await checked(offer, known) { results.put(version, at: place) }
            } catch {
                guard let cause = Self.cause(error) else { throw error }
                refuse(offer, cause)
            }
        }
        return results.filled
    }

    /// - Returns: nil if the version turned out to be there already.
    private func checked(_ offer: ImportOffer, _ known: KnownCrate) async throws -> CheckedVersion? {
        let draft = ImportDraft(blobs: blobs)
        do {
            try await source.read(offer, begin: draft.begin, piece: draft.write)
            let writer = try draft.finished()
            let version = try await inspections.pass { try await inspect(offer, writer) }
            switch known.verdict(on: offer.name, offer.version, version.line.checksum) {
            case .take:
                try await writer.commit(version.line.checksum)
                report.fetched(bytes: version.bytes)
                return version
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
                    facts: ManifestFacts(searchable: manifest, of: line), line: line,
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
