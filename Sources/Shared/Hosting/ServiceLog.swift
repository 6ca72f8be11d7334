import FoundationEssentials
package import Logging

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// swift-log's backend: one line an event on standard error, JSON for machines or text for people.
///
/// `{"time":"2026-11-23T05:00:00.123Z","level":"info","label":"origin","message":"…","repository":"main",…}`
/// Metadata is flat: nested keys are joined with a dot. Hummingbird's `hb.request.id` is written as `request`.
/// Everything passes `Redaction`, so that no secret reaches a log by accident.
package struct ServiceLog: LogHandler {
    /// How a line is written.
    package enum Format: String, Sendable {
        case json
        case text
    }

    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let format: Format
    private let write: @Sendable (String) -> Void

    /// - Parameter write: takes one whole line with its newline.
    package init(
        label: String, level: Logger.Level, format: Format,
        write: @escaping @Sendable (String) -> Void = ServiceLog.standardError
    ) {
        self.label = label
        self.format = format
        self.write = write
        logLevel = level
    }

    /// Makes this the log of the whole process, and `PrometheusMetrics.system` its metrics. Call it once, before
    /// anything makes a `Logger` or a `Counter`: those made earlier go nowhere.
    ///
    /// - Parameter settings: has `log-level` and `log-format` (`Setting.common`).
    package static func bootstrap(_ settings: Settings) {
        let level = Logger.Level(rawValue: settings.text("log-level")) ?? .info
        let format = Format(rawValue: settings.text("log-format")) ?? (isatty(STDERR_FILENO) == 1 ? .text : .json)
        _ = PrometheusMetrics.system
        LoggingSystem.bootstrap { ServiceLog(label: $0, level: level, format: format) }
    }

    /// A field that all later lines of this logger carry.
    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var fields = metadata
        if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
        if let given = event.metadata { fields.merge(given) { $1 } }
        if let error = event.error { fields["error"] = "\(error)" }
        let flat = Self.flat(fields).sorted { $0.key < $1.key }.map { ($0.key, Redaction.mask($0.value)) }
        let message = Redaction.mask("\(event.message)")
        let time = Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        switch format {
        case .json: write(Self.json(time, event.level, label, message, flat))
        case .text: write(Self.text(time, event.level, message, flat))
        }
    }

    /// One system call a line, so that lines of several threads never mix.
    package static let standardError: @Sendable (String) -> Void = { line in StandardError.put(line) }

    private static func flat(_ metadata: Logger.Metadata, under prefix: String = "") -> [String: String] {
        var flat: [String: String] = [:]
        for (key, value) in metadata {
            let name = prefix.isEmpty && key == "hb.request.id" ? "request" : prefix + key
            switch value {
            case .dictionary(let inner): flat.merge(Self.flat(inner, under: name + ".")) { $1 }
            case .array(let values): flat[name] = values.map { "\($0)" }.joined(separator: ", ")
            case .string, .stringConvertible: flat[name] = "\(value)"
            }
        }
        return flat
    }

    private static func json(
        _ time: String, _ level: Logger.Level, _ label: String, _ message: String, _ fields: [(String, String)]
    ) -> String {
        var line = "{\"time\":\"\(time)\",\"level\":\"\(level)\",\"label\":\(JSONText.quoted(label))"
        line += ",\"message\":\(JSONText.quoted(message))"
        for (key, value) in fields where !["time", "level", "label", "message"].contains(key) {
            line += ",\(JSONText.quoted(key)):\(JSONText.quoted(value))"
        }
        return line + "}\n"
    }

    private static func text(
        _ time: String, _ level: Logger.Level, _ message: String, _ fields: [(String, String)]
    ) -> String {
        let clock = time.dropFirst(11).prefix(12)
        let rest = fields.map { "\($0)=\($1.contains(" ") ? JSONText.quoted($1) : $1)" }.joined(separator: " ")
        let name = "\(level)".padding(toLength: 7)
        // A line break in a message must not look like a line of its own.
        return "\(clock) \(name) \(message)\(rest.isEmpty ? "" : "  " + rest)".replacing("\n", with: "\\n") + "\n"
    }
}

private enum StandardError {
    static func put(_ line: String) {
        var line = line
        line.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let written = write(STDERR_FILENO, rest.baseAddress, rest.count)
                if written < 0, errno == EINTR { continue }
                // A log that nobody can take (closed pipe, full disk) must not stop the service.
                guard written > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
            }
        }
    }
}

/// Text as a JSON string.
enum JSONText {
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

extension String {
    fileprivate func padding(toLength length: Int) -> String {
        self + String(repeating: " ", count: Swift.max(0, length - count))
    }
}
