/// Reads the body of `cargo publish` as it arrives: length, JSON, length, crate file.
///
/// ```
/// u32 little-endian   length of the JSON
/// JSON                metadata
/// u32 little-endian   length of the crate file
/// bytes               crate file
/// ```
/// Only the JSON is gathered; the crate file is handed on in slices of the very chunks that come in.
/// A length over its limit is refused before a byte of what it announces is read.
/// Source: docs/PROTOCOL.md, "Publish", E2...E8.
package struct PublishFrame: Sendable {
    /// crates.io's limit of the JSON.
    package static let metadataBytesMax = 1 << 20

    /// What one chunk brought.
    package struct Part<Bytes: Sendable>: Sendable {
        /// The whole JSON, in the part in which it became complete.
        package let metadata: [UInt8]?
        /// The next bytes of the crate file; nil if the chunk held none.
        package let crate: Bytes?
    }

    private enum Stage { case metadataLength, metadata, crateLength, crate }

    /// The value of `Content-Length`; nil if the client did not send it.
    private let contentLength: Int?
    private let crateBytesMax: Int

    private var stage = Stage.metadataLength
    /// A length field or the JSON, so far.
    private var gathered: [UInt8] = []
    private var metadataBytes = 0
    private var crateBytesLeft = 0
    private var seen = 0

    /// What the client announced; nil until that field was read.
    package private(set) var crateBytes: Int?

    /// - Parameters:
    ///   - contentLength: of the whole body; makes a false length known at once instead of at the end.
    ///   - crateBytesMax: the largest crate file that the repository takes.
    package init(contentLength: Int?, crateBytesMax: Int) {
        self.contentLength = contentLength
        self.crateBytesMax = crateBytesMax
    }

    /// True when the last byte of the crate file was read.
    package var isComplete: Bool { stage == .crate && crateBytesLeft == 0 }

    /// Reads the next chunk of the body, however it was cut.
    ///
    /// - Throws: the refusal to answer with; nothing may be read after it.
    package mutating func read<Chunk: Collection<UInt8>>(
        _ chunk: Chunk
    ) throws(Invalid) -> Part<Chunk.SubSequence> where Chunk.SubSequence: Sendable {
        var rest = chunk[...]
        var metadata: [UInt8]?
        if stage == .metadataLength, let length = try gatherLength(&rest) { try beginMetadata(length) }
        if stage == .metadata, gather(&rest, upTo: metadataBytes) {
            metadata = gathered
            gathered = []
            stage = .crateLength
        }
        if stage == .crateLength, let length = try gatherLength(&rest) { try beginCrate(length) }
        guard stage == .crate, !rest.isEmpty else { return Part(metadata: metadata, crate: nil) }
        guard rest.count <= crateBytesLeft else { throw .trailingBytes(rest.count - crateBytesLeft) }
        crateBytesLeft -= rest.count
        seen += rest.count
        return Part(metadata: metadata, crate: rest)
    }

    /// Says that the body has ended.
    ///
    /// - Throws: unless every announced byte was read.
    package func finish() throws(Invalid) {
        switch stage {
        case .metadataLength: throw .noMetadataLength
        case .metadata: throw .metadataCutOff(metadataBytes)
        case .crateLength: throw .noCrateLength
        case .crate:
            if crateBytesLeft > 0 { throw .crateCutOff(crateBytes ?? 0) }
        }
    }

    private mutating func beginMetadata(_ length: Int) throws(Invalid) {
        guard length <= Self.metadataBytesMax else { throw .metadataTooLarge }
        if let contentLength, length > contentLength - seen { throw .metadataCutOff(length) }
        metadataBytes = length
        gathered.reserveCapacity(length)
        stage = .metadata
    }

    private mutating func beginCrate(_ length: Int) throws(Invalid) {
        crateBytes = length
        guard length <= crateBytesMax else { throw .crateTooLarge(bytesMax: crateBytesMax) }
        if let contentLength {
            if length > contentLength - seen { throw .crateCutOff(length) }
            if length < contentLength - seen { throw .trailingBytes(contentLength - seen - length) }
        }
        crateBytesLeft = length
        stage = .crate
    }

    /// - Returns: a length field, or nil while bytes of it are missing.
    private mutating func gatherLength<Bytes: Collection<UInt8>>(
        _ rest: inout Bytes
    ) throws(Invalid) -> Int? where Bytes.SubSequence == Bytes {
        if let contentLength, seen + 4 - gathered.count > contentLength {
            throw stage == .metadataLength ? .noMetadataLength : .noCrateLength
        }
        guard gather(&rest, upTo: 4) else { return nil }
        let length = gathered.reversed().reduce(0) { $0 << 8 | Int($1) }
        gathered.removeAll(keepingCapacity: true)
        return length
    }

    /// Takes bytes off `rest` until `count` are gathered; true when they are.
    private mutating func gather<Bytes: Collection<UInt8>>(
        _ rest: inout Bytes, upTo count: Int
    ) -> Bool where Bytes.SubSequence == Bytes {
        let next = rest.prefix(count - gathered.count)
        gathered.append(contentsOf: next)
        seen += next.count
        rest = rest[next.endIndex...]
        return gathered.count == count
    }
}

extension PublishFrame {
    /// Why a body is refused. `metadataTooLarge` and `crateTooLarge` are answered 413, the others 400.
    package enum Invalid: Error, Hashable, CustomStringConvertible {
        case noMetadataLength
        /// The JSON's announced length.
        case metadataCutOff(Int)
        case metadataTooLarge
        case noCrateLength
        /// The crate file's announced length.
        case crateCutOff(Int)
        case crateTooLarge(bytesMax: Int)
        /// How many bytes follow the crate file.
        case trailingBytes(Int)

        package var isTooLarge: Bool {
            switch self {
            case .metadataTooLarge, .crateTooLarge: true
            default: false
            }
        }

        /// crates.io's words, where it has some.
        package var description: String {
            switch self {
            case .noMetadataLength: "invalid metadata length"
            case .metadataCutOff(let length): "invalid metadata length for remaining payload: \(length)"
            case .metadataTooLarge: "JSON metadata blob too large"
            case .noCrateLength: "invalid tarball length"
            case .crateCutOff(let length): "invalid tarball length for remaining payload: \(length)"
            case .crateTooLarge(let bytesMax): "max upload size is: \(bytesMax)"
            case .trailingBytes(let count): "invalid upload: \(count) bytes follow the tarball"
            }
        }
    }
}
