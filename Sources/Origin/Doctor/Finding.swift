/// What one check of `doctor` came to.
struct Finding: Hashable, Sendable, Encodable {
    enum Verdict: String, Sendable, Encodable {
        case ok
        case warning
        case problem
    }

    let check: Check
    let verdict: Verdict
    /// What was seen, one line.
    let text: String
    /// What to change, one line; nil if all is well.
    let advice: String?

    static func ok(_ check: Check, _ text: String) -> Finding { Finding(check, .ok, text, nil) }

    static func warning(_ check: Check, _ text: String, _ advice: String) -> Finding {
        Finding(check, .warning, text, advice)
    }

    static func problem(_ check: Check, _ text: String, _ advice: String) -> Finding {
        Finding(check, .problem, text, advice)
    }

    private init(_ check: Check, _ verdict: Verdict, _ text: String, _ advice: String?) {
        self.check = check
        self.verdict = verdict
        self.text = text
        self.advice = advice
    }

    /// `ok       index-file     …`, the advice on a line of its own below.
    var line: String {
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(1, width - text.count))
        }
        let head = padded(verdict.rawValue, 9) + padded(check.rawValue, 14)
        return head + text + (advice.map { "\n" + String(repeating: " ", count: 23) + "→ \($0)" } ?? "")
    }
}

/// Everything that `doctor` looks at.
enum Check: String, CaseIterable, Sendable, Encodable {
    case url
    case config
    case addresses
    case api
    case login
    case index
    case absence
    case compression
    case download
    case http2
    case upload
    case clock
    case latency
}
