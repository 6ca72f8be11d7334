import Logging
import ServiceLifecycle

/// Exports the audit log as it grows, to where `audit-export-to` says.
struct ExportService: Service {
    /// In `audit export --list`.
    static let name = "server"
    private static let pauseMax = 300

    /// Nil: nobody wants it.
    let exporter: AuditExporter?
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            guard let exporter else {
                try? await gracefulShutdown()
                return
            }
            var failures = 0
            while !Task.isCancelled {
                let pause: Duration
                do {
                    if case .sent = try await exporter.step() { pause = .zero } else { pause = interval }
                    failures = 0
                } catch is CancellationError {
                    break
                } catch {
                    failures += 1
                    let asked = (error as? ExportSink.Problem)?.pause
                    pause = .seconds(asked ?? min(1 << min(failures, 12), Self.pauseMax))
                    logger.error(
                        "the audit log could not be exported; what waits stays and is sent later",
                        metadata: ["error": "\(error)", "again": "\(pause)"])
                }
                guard pause > .zero else { continue }
                guard (try? await Task.sleep(for: pause)) != nil else { break }
            }
        }
        if let exporter { try? await exporter.cursors.release(exporter.name, holder: exporter.holder) }
    }
}
