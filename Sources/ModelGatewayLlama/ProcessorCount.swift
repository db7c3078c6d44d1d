// How many threads can compute at once without getting in each other's way.

#if LlamaCpp

import CLlama

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The processors that this process may use.
enum ProcessorCount {
    /// One for each physical core, and no more than the container's share of processor time allows.
    ///
    /// Matrix arithmetic gains nothing from a core's second hardware thread, and threads beyond a cgroup's quota would
    /// be stopped in turn while the others wait for them.
    static var physical: Int {
        var count = max(1, Int(sysconf(CInt(_SC_NPROCESSORS_ONLN))))
        #if os(Linux)
        var cores: Set<String> = []
        for cpu in 0..<count {
            guard let siblings = line("/sys/devices/system/cpu/cpu\(cpu)/topology/thread_siblings") else { continue }
            cores.insert(siblings)
        }
        if !cores.isEmpty { count = min(count, cores.count) }
        let allowed = Int(modelgateway_llama_allowed_processors())
        if allowed > 0 { count = min(count, allowed) }
        // cgroup version 2: "QUOTA PERIOD" in microseconds, or "max PERIOD".
        if let quota = line("/sys/fs/cgroup/cpu.max")?.split(separator: " ").compactMap({ Int($0) }), quota.count == 2,
            quota[1] > 0
        {
            count = min(count, max(1, (quota[0] + quota[1] - 1) / quota[1]))
        }
        #endif
        return count
    }

    /// The first line of a small file.
    private static func line(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return nil }
        return String(decoding: bytes[..<count].prefix { $0 != 10 }, as: UTF8.self)
    }
}

#endif
