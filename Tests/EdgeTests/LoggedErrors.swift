import Logging
import Synchronization

/// The errors that an edge of this process logs, each with its metadata in one line.
final class LoggedErrors: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }
    var handler: any LogHandler { Handler(errors: self) }

    private struct Handler: LogHandler {
        let errors: LoggedErrors
        var logLevel: Logger.Level = .error
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let fields = (event.metadata ?? [:]).map { "\($0)=\($1)" }.sorted().joined(separator: " ")
            errors.lines.withLock { $0.append("\(event.message) \(fields)") }
        }
    }
}
