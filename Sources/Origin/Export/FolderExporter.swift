import Registry

/// Writes a repository's index lines and crate files into a folder, as they are served.
///
/// What is there with the right bytes is not written again. A line goes out only with its file, and an index file after
/// the files that its lines name, so that the folder is good at every moment. Crates and versions that are gone from the
/// repository stay in the folder; versions that policy withholds don't come into it.
struct FolderExporter: Sendable {
    static let cratesAtOnce = 4

    let repository: Repository
    let stored: StoredCrates
    let blobs: any BlobStore
    let folder: RegistryFolder
    let report: FolderReport
    /// Brings files that an upstream still has; nil: their versions are left out.
    let desk: UpstreamDesk?

    /// - Throws: what stops everything: the database, a disk, cancellation. A version's own fault is reported.
    func run(_ names: [CrateName]) async throws {
        try await forEach(names, atOnce: Self.cratesAtOnce) { name in
            if let crate = try await stored.crate(named: name, in: repository) { try await export(crate, name) }
            report.note { $0.cratesDone += 1 }
        }
    }

    private func export(_ crate: StoredCrate, _ name: CrateName) async throws {
        var text = ""
        for version in crate.versions where try await export(version, of: name) { text += version.line + "\n" }
        let place = folder.index(name)
        if text.isEmpty {
            try await folder.remove(place)
        } else {
            try await folder.write(text, to: place)
            report.note { $0.crates += 1 }
        }
    }

    /// - Returns: whether its file is in the folder.
    private func export(_ stored: StoredCrate.Version, of name: CrateName) async throws -> Bool {
        guard let version = try? Version(stored.number), let checksum = Checksum(bytes: stored.checksum) else {
            report.fault("\(name.spelling) \(stored.number)", "its row is damaged; see `longshore-origin verify`")
            return false
        }
        if let refusal = stored.refusal {
            report.withheld("\(name.spelling) \(version)", refusal)
            return false
        }
        do {
            guard try await isHere(stored, name, version, checksum) else { return false }
            let place = folder.crate(name, version)
            let size = try await blobs.size(checksum)
            if let size, try await folder.holds(checksum, bytes: size, at: place) {
                report.note { $0.present += 1 }
                return true
            }
            guard let blob = try await blobs.open(checksum) else {
                report.fault("\(name.spelling) \(version)", "its file is missing; see `longshore-origin verify`")
                return false
            }
            try await folder.write(blob, checksum, to: place)
            report.note {
                $0.written += 1
                $0.bytes += blob.bytes
            }
            return true
        } catch BlobError.checksumDiffers {
            report.fault("\(name.spelling) \(version)", "its file is damaged; see `longshore-origin verify`")
        } catch let refusal as Refusal {
            report.fault("\(name.spelling) \(version)", refusal.detail)
        }
        return false
    }

    /// - Returns: false for a file that only an upstream has.
    private func isHere(
        _ stored: StoredCrate.Version, _ name: CrateName, _ version: Version, _ checksum: Checksum
    ) async throws -> Bool {
        guard stored.isProxied, stored.bytes == 0, try await blobs.size(checksum) == nil else { return true }
        guard let desk else {
            report.note { $0.leftOut += 1 }
            return false
        }
        try await desk.bring(name, version, checksum, in: repository, to: blobs)
        return true
    }
}
