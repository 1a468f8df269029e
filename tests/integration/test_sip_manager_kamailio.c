/* test_sip_manager_kamailio.c - supervision of a real server: kamailio. */
#define SERVER_NAME "kamailio"
#include "sip_manager_cases.h"
