/// What went wrong when no session of a warm-up came to its end, and what may help.
struct WarmUpFailure {
    private let errors: [(kind: String, count: Int)]

    /// - Parameter errors: by kind.
    init(_ errors: [String: Int]) {
        // The kind decides between equals, so that the same failure always says the same.
        self.errors = errors.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
    }

    /// The three most frequent kinds, and the next step.
    var text: String {
        guard !errors.isEmpty else { return "no reason given" }
        let kinds = errors.prefix(3).map { "\($0.kind) (\(Shown.count($0.count)))" }.joined(separator: ", ")
        return "\(kinds)\(errors.count > 3 ? ", …" : ""); \(advice)"
    }

    private var advice: String {
        func has(_ part: String) -> Bool { errors.contains { $0.kind.contains(part) } }
        if has(Reason.untrusted) { return "give the authority's certificate with --ca-file" }
        if has("401") { return "reading needs a token: --token-file" }
        if has("HTTP/2") { return "it may not speak HTTP/2 as it was asked to: try --speech h2c or --speech h1" }
        if has("no resolution") { return "check what is resolved, and whether this index has it" }
        return "check the address and the token"
    }
}
