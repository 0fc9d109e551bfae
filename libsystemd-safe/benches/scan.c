/* Prints MESSAGE= of every entry of a directory, with the calls that the bench makes through the
   wrapper. */

#include <stdio.h>
#include <string.h>
#include <systemd/sd-journal.h>

int main(int argc, char *argv[]) {
        static char buffer[64 * 1024];
        sd_journal *journal;
        if (argc != 2 || sd_journal_open_directory(&journal, argv[1], 0) < 0)
                return 1;
        sd_journal_set_data_threshold(journal, (size_t) -1);
        setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
        while (sd_journal_next(journal) > 0) {
                const char *data;
                size_t size, prefix = strlen("MESSAGE=");
                if (sd_journal_get_data(journal, "MESSAGE", (const void **) &data, &size) < 0)
                        continue;
                fwrite(data + prefix, 1, size - prefix, stdout);
                putc('\n', stdout);
        }
        sd_journal_close(journal);
        return fflush(stdout);
}
