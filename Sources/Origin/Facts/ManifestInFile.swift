import CrateFile
import Facts
import Logging
import NIOCore
import Registry

/// What the manifest in a version's stored file tells.
struct ManifestInFile: Sendable {
    let blobs: any BlobStore
    let logger: Logger

    /// - Returns: nil if the file is missing or can't be read, for the log to tell.
    func traits(of name: CrateName, _ version: Version, _ checksum: Checksum) async throws -> ManifestTraits? {
        guard let reader = try await blobs.open(checksum) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(reader.bytes)
        while let piece = try await reader.next() { bytes.append(contentsOf: piece.readableBytesView) }
        let file = bytes
        do {
            return try await offLoop {
                let inspection = try CrateInspector(name: name, version: version, rules: .imported)
                    .inspect(file, isCancelled: { false })
                return ManifestTraits(
                    try ManifestReader.read(inspection.manifest), hasBuildFile: inspection.hasBuildFile)
            }
        } catch {
            logger.warning(
                "the facts of \(name.spelling) \(version) stay unknown: its file can't be read",
                metadata: ["error": "\(error)"])
            return nil
        }
    }
}
