/// One row of a program's table of settings: its values, its `--help`, its row in docs/OPERATIONS.md.
///
/// | given as         | spelled                                                    |
/// |------------------|------------------------------------------------------------|
/// | flag             | `--upload-bytes-max 64MiB`, `--upload-bytes-max=64MiB`     |
/// | environment      | `LONGSHORE_UPLOAD_BYTES_MAX=64MiB`                         |
/// | file (JSON)      | `{"upload-bytes-max": "64MiB"}`                            |
/// | secret in a file | `--NAME-file PATH`, `LONGSHORE_NAME_FILE`, `"NAME-file"`   |
package struct Setting: Sendable {
    /// What a value must look like. Ranges are inclusive.
    package enum Kind: Sendable {
        case string
        /// One of a few words.
        case choice([String])
        case integer(ClosedRange<Int>)
        /// `512`, `64KiB`, `64MiB`, `2GiB`, also `kB`, `MB`, `GB`; the range is in bytes.
        case bytes(ClosedRange<Int>)
        /// `500ms`, `5s`, `10m`, `24h`, `7d`.
        case duration(ClosedRange<Duration>)
        /// `true` or `false`; as a flag also `--name` and `--no-name`.
        case boolean
        case path
        /// An absolute `http` or `https` address; a final slash is dropped.
        case url
        /// `127.0.0.1:8080`, `[::1]:8080`, `0.0.0.0:0` (port 0: any free one).
        case address
        /// Never printed; may be given as the path of a file that holds it.
        case secret
    }

    /// Lower-case words with hyphens; the unit and `min`/`max` come last: `upload-bytes-max`.
    package let name: String
    package let kind: Kind
    /// In the form a person would type; nil means "unset unless given".
    package let standard: String?
    package let explanation: String
    /// A name that other programs use too, read after our own: `DATABASE_URL`.
    package let environmentAlias: String?

    package init(
        _ name: String, _ kind: Kind, default standard: String? = nil, _ explanation: String,
        environmentAlias: String? = nil
    ) {
        self.name = name
        self.kind = kind
        self.standard = standard
        self.explanation = explanation
        self.environmentAlias = environmentAlias
    }

    /// `LONGSHORE_UPLOAD_BYTES_MAX`.
    package var environmentName: String {
        Self.environmentPrefix + String(name.uppercased().map { $0 == "-" ? "_" : $0 })
    }

    static let environmentPrefix = "LONGSHORE_"
}

extension Setting.Kind {
    var isSecret: Bool {
        if case .secret = self { true } else { false }
    }

    var isBoolean: Bool {
        if case .boolean = self { true } else { false }
    }

    /// How `--help` names a value of this kind.
    var placeholder: String {
        switch self {
        case .string: "TEXT"
        case .choice(let words): words.joined(separator: "|")
        case .integer: "NUMBER"
        case .bytes: "BYTES"
        case .duration: "TIME"
        case .boolean: "true|false"
        case .path: "PATH"
        case .url: "URL"
        case .address: "HOST:PORT"
        case .secret: "SECRET"
        }
    }

    /// What is accepted, as the end of a sentence that begins "it takes".
    var accepted: String {
        switch self {
        case .string: "a text that is not empty"
        case .choice(let words): words.map { "`\($0)`" }.joined(separator: " or ")
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .bytes(let range):
            """
            a size such as 512KiB, 64MiB or 2GiB, from \(Bytes.text(range.lowerBound)) \
            to \(Bytes.text(range.upperBound))
            """
        case .duration(let range):
            """
            a time such as 500ms, 5s, 10m or 24h, from \(Seconds.text(range.lowerBound)) \
            to \(Seconds.text(range.upperBound))
            """
        case .boolean: "`true` or `false`"
        case .path: "a path"
        case .url: "an address that begins with http:// or https:// and has no query"
        case .address: "an address such as 127.0.0.1:8080 or [::1]:8080"
        case .secret: "a text that is not empty, or the path of a file that holds it"
        }
    }

    /// - Returns: nil for a text that this kind does not accept.
    func parse(_ text: String) -> Settings.Value? {
        switch self {
        case .string, .path, .secret: text.isEmpty ? nil : .text(text)
        case .choice(let words): words.contains(text) ? .text(text) : nil
        case .integer(let range): Int(text).flatMap { range.contains($0) ? .integer($0) : nil }
        case .bytes(let range): Bytes.parse(text).flatMap { range.contains($0) ? .integer($0) : nil }
        case .duration(let range): Seconds.parse(text).flatMap { range.contains($0) ? .duration($0) : nil }
        case .boolean: ["true": .boolean(true), "false": .boolean(false)][text]
        case .url: WebAddress.normal(text).map { .text($0) }
        case .address: SocketAddressText(parsing: text).map { .address($0) }
        }
    }
}
