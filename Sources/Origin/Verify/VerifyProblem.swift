/// One thing that does not agree.
struct VerifyProblem: Hashable, Sendable, Encodable {
    enum Kind: String, Sendable, Encodable {
        case blobMissing = "blob-missing"
        case blobSize = "blob-size"
        case blobBytes = "blob-bytes"
        case blobUnreadable = "blob-unreadable"
        case indexFile = "index-file"
        case line
        case version
        case checksums
        case crate
        case feed
    }

    let kind: Kind
    /// `main serde 1.0.0`, `main serde` or `feed`.
    let place: String
    let text: String

    init(_ kind: Kind, _ place: String, _ text: String) {
        self.kind = kind
        self.place = place
        self.text = text
    }

    var description: String { "\(place): \(text)" }
}
