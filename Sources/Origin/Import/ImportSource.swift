import AsyncHTTPClient
import NIOCore
import Registry

/// A registry that versions are taken from: its index, and the bytes of its crate files.
///
/// | SOURCE           | index                                 | bytes                                        |
/// |------------------|---------------------------------------|----------------------------------------------|
/// | a folder         | `index/` in it, in sparse layout      | `.crate` files anywhere below it             |
/// | a folder, `--downloads` | the same                       | that address                                 |
/// | a sparse URL     | that URL                              | `dl` of its `config.json`, or `--downloads`  |
struct ImportSource: Sendable {
    private enum Index: Sendable {
        case folder(String)
        case web(String)
        case none
    }

    /// More than any registry serves; a larger file is refused.
    static let crateBytesMax = 1 << 30

    /// How others name the source in their lines: dependencies on it are dependencies on the destination.
    let indexURLs: Set<String>
    /// Lower-case names of all crates that the source is known to have; nil if it can't be asked.
    let names: [CrateName]?
    /// All versions, if they are known before the index is read.
    let versionsCount: Int?
    /// Files that name no version.
    let strangers: [String]

    private let index: Index
    private let files: CrateFiles
    private let template: DownloadTemplate?
    private let downloadsAreAuthorized: Bool
    private let web: SourceWeb

    /// Looks at a folder: names and paths, no contents. Blocks meanwhile.
    static func folder(
        _ path: String, downloads: String?, indexURLs: Set<String>, web: SourceWeb
    ) throws -> ImportSource {
        guard FileKind.isFolder(path) else { throw SourceFailure("\(path) is no folder") }
        let files = try CrateFiles(below: path)
        let indexFolder = path + "/index"
        let indexed = FileKind.isFolder(indexFolder) ? try IndexFolder.names(below: indexFolder) : []
        guard files.count > 0 || !indexed.isEmpty else {
            throw SourceFailure("\(path) holds neither `….crate` files nor an `index` folder; is it the right folder?")
        }
        // A crate's file names spell its name in their own way; the path of an index file is the same for all.
        let lowered = Set(files.files.keys).union(indexed.map(\.lowered))
        return ImportSource(
            indexURLs: indexURLs, names: try lowered.sorted().map { try CrateName($0) },
            versionsCount: downloads == nil ? files.count : nil, strangers: files.strangers,
            index: indexed.isEmpty ? .none : .folder(indexFolder), files: files,
            template: downloads.map { DownloadTemplate(text: $0) }, downloadsAreAuthorized: false, web: web)
    }

    /// Reads the `config.json` of a sparse index.
    ///
    /// - Parameter url: `https://…/` or `sparse+https://…/`.
    static func sparse(
        _ url: String, downloads: String?, indexURLs: Set<String>, web: SourceWeb
    ) async throws -> ImportSource {
        let plain = url.hasPrefix("sparse+") ? String(url.dropFirst("sparse+".count)) : url
        let base = plain.hasSuffix("/") ? plain : plain + "/"
        guard let bytes = try await web.document(base + "config.json") else {
            throw SourceFailure("\(base)config.json is not there; is it the URL of a sparse index?")
        }
        let config = (try? JSONValue(parsing: bytes))?.object
        guard let dl = downloads ?? config?["dl"]?.string else {
            throw SourceFailure("\(base)config.json says no `dl`; give the address of downloads with --downloads")
        }
        return ImportSource(
            indexURLs: indexURLs.union([base, "sparse+" + base]), names: nil, versionsCount: nil, strangers: [],
            index: .web(base), files: CrateFiles(), template: DownloadTemplate(text: dl),
            downloadsAreAuthorized: downloads == nil && config?["auth-required"]?.bool == true, web: web)
    }

    /// All versions of one crate.
    ///
    /// - Returns: nil if the source has no such crate.
    func offers(
        of crate: CrateName, ownIndexURLs: Set<String>
    ) async throws -> (offers: [ImportOffer], refusals: [ImportRefusal])? {
        guard let bytes = try await indexFile(of: crate) else {
            let found = files.files[crate.lowered] ?? []
            let offers = found.map { ImportOffer(name: $0.name, version: $0.version, line: nil, place: .file($0.path)) }
            return offers.isEmpty ? nil : (offers.sorted { $0.version < $1.version }, [])
        }
        let read = IndexFileOffers(bytes, of: crate, ours: indexURLs.union(ownIndexURLs))
        var refusals = read.refusals
        var offers: [ImportOffer] = []
        for line in read.lines {
            if let place = place(of: line) {
                offers.append(
                    ImportOffer(
                        name: line.name, version: line.version, line: line, text: read.texts[line.version.bare],
                        place: place))
            } else {
                refusals.append(
                    ImportRefusal(
                        line.name.spelling, "\(line.version)",
                        "the index has it, but there is no file `\(line.name.spelling)-\(line.version).crate`"))
            }
        }
        return (offers, refusals + leftOver(crate, read))
    }

    /// Hands over the bytes of one version in bounded pieces.
    ///
    /// - Parameter begin: called before each attempt, since a broken transfer starts anew.
    func read(
        _ offer: ImportOffer, begin: () async throws -> Void, piece: (ByteBuffer) async throws -> Void
    ) async throws {
        switch offer.place {
        case .file(let path): try await read(path, begin, piece)
        case .url(let url, let isAuthorized):
            let isThere = try await web.file(url, isAuthorized: isAuthorized) { response in
                try await begin()
                var rest = Self.crateBytesMax
                for try await part in response.body {
                    rest -= part.readableBytes
                    guard rest >= 0 else { throw SourceFailure("\(url) is larger than \(Self.crateBytesMax) bytes") }
                    try await piece(part)
                }
            }
            guard isThere else { throw SourceFailure("\(url) is not there") }
        }
    }

    private func read(
        _ path: String, _ begin: () async throws -> Void, _ piece: (ByteBuffer) async throws -> Void
    ) async throws {
        guard let file = try await DiskBlobs.offLoop({ try DiskFile.reading(path) }) else {
            throw SourceFailure("\(path) is not there any more")
        }
        try await begin()
        var offset = 0
        while true {
            let part = try await DiskBlobs.offLoop { [offset] in
                try file.read(at: offset, limit: BlobPiece.bytesMax)
            }
            if part.readableBytes == 0 { return }
            offset += part.readableBytes
            try await piece(part)
        }
    }

    private func indexFile(of crate: CrateName) async throws -> [UInt8]? {
        switch index {
        case .none: return nil
        case .web(let base): return try await web.document(base + crate.indexPath.description)
        case .folder(let folder):
            let path = "\(folder)/\(crate.indexPath)"
            return try await DiskBlobs.offLoop { () throws in
                guard let file = try DiskFile.reading(path) else { return nil }
                let bytes = try file.bytes()
                guard bytes <= SourceWeb.documentBytesMax else {
                    throw SourceFailure("\(path) is larger than \(SourceWeb.documentBytesMax) bytes")
                }
                var all: [UInt8] = []
                while all.count < bytes {
                    let part = try file.read(at: all.count, limit: BlobPiece.bytesMax)
                    guard part.readableBytes > 0 else { break }
                    all += part.readableBytesView
                }
                return all
            }
        }
    }

    private func place(of line: IndexLine) -> ImportOffer.Place? {
        if let template {
            return .url(
                template.url(line.name, line.version, line.checksum), isAuthorized: downloadsAreAuthorized)
        }
        return files.file(line.name, line.version).map { .file($0.path) }
    }

    /// Files that the index does not know: it decides what there is, but nobody should have to guess.
    private func leftOver(_ crate: CrateName, _ read: IndexFileOffers) -> [ImportRefusal] {
        guard template == nil else { return [] }
        let known = Set(read.lines.map(\.version.bare)).union(read.refusals.map(\.version))
        return (files.files[crate.lowered] ?? []).filter {
            !known.contains($0.version.bare) && !known.contains($0.version.description)
        }.map {
            ImportRefusal($0.name.spelling, "\($0.version)", "the source's index file of the crate has no line for it")
        }
    }
}
